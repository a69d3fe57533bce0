/** Tells the editor where its workers are; they are files of this server. */
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(WORKERS[label] ?? WORKERS.editor, { type: "module", name: label }),
};
