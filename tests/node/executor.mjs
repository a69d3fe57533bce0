import {
  GraphQLError,
  buildSchema,
  execute,
  isScalarType,
  isSpecifiedScalarType,
  parse,
  validate,
  valueFromASTUntyped,
} from "graphql";
import { canonicalJson } from "./canonical.mjs";

/**
 * The reference executor: graphql-js over a graph of plain values.
 *
 * `data` maps a key to an object: `{ "__typename": "Site", "name": "…", "seats": [{ "ref": "seat:1" }] }`.
 * The operations start from the keys named as the root types, such as `Query`. A value is a scalar, null,
 * an object in place, `{ "ref": key }`, or a list of these. A field with arguments is stored under its name
 * followed by the canonical JSON of the arguments as graphql-js coerces them, defaults included:
 * `sites({"first":20})`; without any argument given it is stored under its bare name.
 */
export class Reference {
  #schema;
  #data;

  constructor({ sdl, data }) {
    this.#schema = buildSchema(sdl);
    this.#data = data;
    for (const type of Object.values(this.#schema.getTypeMap())) {
      if (isScalarType(type) && !isSpecifiedScalarType(type)) passThrough(type);
    }
  }

  /** Parses, validates and executes one operation; answers the GraphQL response, keys in their order. */
  async execute({ document, variables, operationName }) {
    let parsed;
    try {
      parsed = parse(document);
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
    const errors = validate(this.#schema, parsed);
    if (errors.length > 0) return { errors };
    return await execute({
      schema: this.#schema,
      document: parsed,
      variableValues: variables,
      operationName,
      fieldResolver: (parent, args, _context, info) => this.#field(parent, args, info),
      typeResolver: (object) => object.__typename,
    });
  }

  #field(parent, args, { fieldName, parentType }) {
    // Only the root has no object of its own yet.
    const object = parent ?? this.#object(parentType.name);
    const name = Object.keys(args).length > 0 ? `${fieldName}(${canonicalJson(args)})` : fieldName;
    if (!Object.hasOwn(object, name)) {
      throw new GraphQLError(`the graph has no ${parentType.name}.${name}`);
    }
    return this.#value(object[name]);
  }

  #value(value) {
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    const isReference = value !== null && typeof value === "object" && Object.hasOwn(value, "ref");
    return isReference ? this.#object(value.ref) : value;
  }

  #object(key) {
    if (!Object.hasOwn(this.#data, key)) throw new GraphQLError(`the graph has no object "${key}"`);
    return this.#data[key];
  }
}

/** The product's own scalars go through unchanged: their rules are tested elsewhere. */
function passThrough(scalar) {
  scalar.serialize = (value) => value;
  scalar.parseValue = (value) => value;
  scalar.parseLiteral = (node, variables) => valueFromASTUntyped(node, variables);
}
