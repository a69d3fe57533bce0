/** The explorer: GraphiQL, with a bar for the token and the examples. */
import "./workers.js";
import "graphiql/style.css";
import "./explorer.css";

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { useState } from "react";
import { createPortal } from "react-dom";
import { createRoot } from "react-dom/client";

const TOKEN = "token";

/** The header for the token of this browser tab; it is forgotten with the tab. */
function authorization() {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

const socket = new URL("/graphql/ws", location.href);
socket.protocol = socket.protocol.replace("http", "ws");
const live = createClient({ url: socket.href, connectionParams: authorization });
const send = createGraphiQLFetcher({ url: "/graphql", wsClient: live });
const fetcher = (request, options) => send(request, { ...options, headers: { ...options?.headers, ...authorization() } });

const written = (variables) => (variables ? JSON.stringify(variables, null, 2) : "");
const tab = ({ query, variables }) => ({ query, variables: written(variables) });

function Token() {
  const [token, setToken] = useState(sessionStorage.getItem(TOKEN) ?? "");
  const change = ({ target }) => {
    const value = target.value.trim().replace(/^Bearer\s+/i, "");
    sessionStorage.setItem(TOKEN, value);
    setToken(value);
    // what is followed goes on by another socket, which sends the token of now
    live.terminate();
  };
  return (
    <label>
      Jeton
      <input id="token" type="password" value={token} onChange={change} autoComplete="off"
        spellCheck={false} placeholder="aucun : accès public" />
    </label>
  );
}

function Examples() {
  const { addTab } = useGraphiQLActions();
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const open = ({ target }) => {
    const [group, operation] = target.value.split(".");
    const chosen = tab(EXAMPLES[group].operations[operation]);
    addTab();
    query?.setValue(chosen.query);
    variables?.setValue(chosen.variables);
  };
  return (
    <label>
      Exemples
      <select id="examples" value="" onChange={open}>
        <option value="" disabled>ouvrir dans un onglet…</option>
        {EXAMPLES.map(({ name, operations }, group) => (
          <optgroup key={name} label={name}>
            {operations.map((operation, index) => (
              <option key={operation.name} value={`${group}.${index}`}>{operation.name}</option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

// in the place of the logo, since only what is inside GraphiQL may open its tabs
function Bar() {
  const bar = <><a href="/">Cités de l'emploi — API</a><Examples /><Token /></>;
  return createPortal(bar, document.getElementById("bar"));
}

createRoot(document.getElementById("explorer")).render(
  <GraphiQL fetcher={fetcher} defaultTabs={EXAMPLES.map(({ operations }) => tab(operations[0]))}
    defaultEditorToolsVisibility="variables" isHeadersEditorEnabled={false} showPersistHeadersSettings={false}
    inputValueDeprecation schemaDescription>
    <GraphiQL.Logo><Bar /></GraphiQL.Logo>
  </GraphiQL>,
);
