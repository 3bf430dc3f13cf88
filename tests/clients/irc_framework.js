// Drives irc-framework, the library under The Lounge and Kiwi IRC, for test_irc_framework.py.
// Commands come in as JSON lines, ["say", "#lobby", "hello"]; everything it makes of what the server says goes out
// as JSON lines, ["message", {...}]. Settings are in the environment, and so is the authority (NODE_EXTRA_CA_CERTS).
"use strict";

const readline = require("readline");
const IRC = require("irc-framework");

const client = new IRC.Client();
const quiet = new Set(["debug", "raw", "pong", "socket connected", "raw socket connected", "connecting"]);

function tell(...what) {
    process.stdout.write(JSON.stringify(what, (key, value) => (key === "reply" ? undefined : value)) + "\n");
}

const emit = client.emit;
client.emit = function (name, event) {
    if (!quiet.has(name) && typeof event !== "function" && !(event && event.client)) {
        tell(name, event instanceof Error ? { message: event.message } : event);
    }
    return emit.apply(client, arguments);
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const [method, ...words] = JSON.parse(line);
    client[method](...words);
});
client.on("close", () => process.exit(0));

client.connect({
    host: "localhost",
    port: Number(process.env.PORT),
    tls: true,
    rejectUnauthorized: true,
    nick: process.env.NICK,
    username: process.env.NICK,
    gecos: `${process.env.NICK} in a framework`,
    account: { account: process.env.NICK, password: process.env.PASSWORD },
    sasl_disconnect_on_fail: true,
    enable_echomessage: true,
    enable_setname: true,
    enable_chghost: true,
    auto_reconnect: false,
});
