// The harness in one import: a real VS Code, its windows, the proxy under test, and helpers for HTTP and waiting.
export { LONG_WINDOW, PROMPT_LIMIT, startCopilotMock } from "./copilot-mock.mjs";
export { dataOf, dialects, responseText } from "./dialects.mjs";
export { startEditor } from "./editor.mjs";
export { attachFakeEditor } from "./fake-editor.mjs";
export { freePort, listening } from "./http.mjs";
export { load, lost } from "./load.mjs";
export { alive, processesOf } from "./processes.mjs";
export { startProxy } from "./proxy.mjs";
export { until } from "./wait.mjs";
