// Node-RED without an editor, without projects, without a context on disk: as light as it gets.
module.exports = {
  flowFile: process.env.BENCH_FLOW,
  userDir: process.env.BENCH_NODE_RED_HOME,
  uiPort: Number(process.env.BENCH_NODE_RED_PORT),
  uiHost: "127.0.0.1",
  httpAdminRoot: false,
  credentialSecret: false,
  logging: { console: { level: "error" } },
};
