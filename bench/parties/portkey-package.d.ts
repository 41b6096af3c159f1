/** The gateway's start script: importing it starts the server. */
declare module "@portkey-ai/gateway/build/start-server.js" {}
