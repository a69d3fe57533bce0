import {
  GraphQLError,
  astFromValue,
  buildSchema,
  execute,
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isLeafType,
  isNonNullType,
  isScalarType,
  isSpecifiedScalarType,
  parse,
  print,
  validate,
  valueFromASTUntyped,
} from "graphql";

/**
 * The reference executor: graphql-js, each object asked alone of the API under test.
 *
 * graphql-js parses, validates, collects fields, coerces arguments and variables, and completes the answer.
 * Values come from the API by plain queries for one object, found by its key: all its plain values at once,
 * `{ site(by: {id: "site_1"}) { id name } }`, or one relation, `{ site(by: {id: "site_1"}) { roadmap { id } } }`.
 * These have no fragment, alias, variable or directive and no second parent, so they share as little as can be
 * with the way the API answers the document.
 *
 * `ask` sends such a query and gives the parsed response. An answer is asked once and kept.
 */
export class Reference {
  #schema;
  #ask;
  #answers = new Map();
  #keys = new Map();

  constructor({ sdl, ask }) {
    this.#schema = buildSchema(sdl);
    this.#ask = ask;
    for (const type of Object.values(this.#schema.getTypeMap())) {
      if (isScalarType(type) && !isSpecifiedScalarType(type)) passThrough(type);
    }
    for (const field of Object.values(this.#schema.getQueryType().getFields())) this.#addLookup(field);
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
      rootValue: { path: [] },
      fieldResolver: (parent, args, _context, info) => this.#field(parent, args, info),
      typeResolver: (object) => object.__typename,
    });
  }

  /** A root field with the one argument `by` finds any object of its type again. */
  #addLookup({ name, type, args }) {
    if (args.length !== 1 || args[0].name !== "by") return;
    const inputs = getNamedType(args[0].type);
    const [key] = isInputObjectType(inputs) ? Object.values(inputs.getFields()) : [];
    if (key !== undefined) this.#keys.set(getNamedType(type).name, { root: name, key: key.name });
  }

  /** An object is `{ __typename, path }`: the fields, one in the other, that lead to it from the root. */
  async #field({ path }, args, { fieldName, parentType, returnType }) {
    if (this.#isPlain(parentType.getFields()[fieldName])) {
      return (await this.#value(path, this.#plain(parentType)))[fieldName];
    }
    const step = { name: fieldName, text: fieldName + printed(args, parentType.getFields()[fieldName]) };
    const type = getNamedType(returnType);
    if (isLeafType(type)) return await this.#value([...path, step], "");
    // an object that is always there and has no key needs no question
    const { ofType } = isNonNullType(returnType) ? returnType : {};
    if (ofType === type && !isAbstractType(type) && !this.#keys.has(type.name)) {
      return { __typename: type.name, path: [...path, step] };
    }
    return this.#objects(await this.#value([...path, step], this.#probe(type)), type, path, step, []);
  }

  /** A value that costs little: all of these are asked of an object at once, in one flat selection. */
  #isPlain({ type, args }) {
    const { name } = getNamedType(type);
    return args.length === 0 && isLeafType(getNamedType(type)) && name !== "GeoJSON";
  }

  #plain(parentType) {
    const fields = Object.values(parentType.getFields()).filter((field) => this.#isPlain(field));
    return ` { ${fields.map(({ name }) => name).join(" ")} }`;
  }

  /** What to select of an object so as to find it again. */
  #probe(type) {
    if (isAbstractType(type)) return " { __typename id }";
    return ` { ${this.#keys.get(type.name)?.key ?? "__typename"} }`;
  }

  #objects(value, type, path, step, indexes) {
    if (value === null) return null;
    if (Array.isArray(value)) {
      return value.map((item, index) => this.#objects(item, type, path, step, [...indexes, index]));
    }
    const __typename = value.__typename ?? type.name;
    const lookup = this.#keys.get(__typename);
    if (lookup === undefined) return { __typename, path: [...path, { ...step, indexes }] };
    const { root, key } = lookup;
    return { __typename, path: [{ name: root, text: `${root}(by: {${key}: ${JSON.stringify(value[key])}})` }] };
  }

  async #value(path, probe) {
    const query = path.reduceRight((inner, { text }) => ` { ${text}${inner} }`, probe).trim();
    let value = await this.#answer(query);
    for (const { name, indexes = [] } of path) {
      value = value[name];
      for (const index of indexes) value = value[index];
    }
    return value;
  }

  async #answer(query) {
    if (!this.#answers.has(query)) this.#answers.set(query, this.#ask(query));
    const { data, errors } = await this.#answers.get(query);
    if (errors !== undefined) throw new GraphQLError(`${query} failed: ${errors[0].message}`);
    return data;
  }
}

/** Arguments as literals, in the order of their declaration. */
function printed(args, { args: declared }) {
  const given = declared.filter(({ name }) => args[name] !== undefined);
  const texts = given.map(({ name, type }) => `${name}: ${print(astFromValue(args[name], type))}`);
  return texts.length === 0 ? "" : `(${texts.join(", ")})`;
}

/** The product's own scalars go through unchanged: their rules are tested elsewhere. */
function passThrough(scalar) {
  scalar.serialize = (value) => value;
  scalar.parseValue = (value) => value;
  scalar.parseLiteral = (node, variables) => valueFromASTUntyped(node, variables);
}
