// The harness in one import: a real VS Code, its windows, the proxy under test, and ways to wait and to ask.
export { startEditor } from './editor.mjs';
export { ask, freePort, listening, openStream } from './http.mjs';
export { alive, processesOf, proxiesOf } from './processes.mjs';
export { never, until } from './wait.mjs';
