// A discord.js bot of three shards that only records: a line of JSON for everything that its listeners are told.
//
// `connecting` and `invalid` (op 9) come from its debug messages, the only place that tells of them.

const { Client, Events, GatewayIntentBits } = require("discord.js");

const SHARDS = 3;
const CONNECTING = /^\[WS => Shard \d+\] Connecting to (\S+)/;
const INVALIDATED = /^\[WS => Shard (\d+)\] Invalid session; will attempt to resume: false/;

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
  rest: { api: "http://127.0.0.1:8080/api" },
  shards: Array.from({ length: SHARDS }, (_, id) => id),
  shardCount: SHARDS,
});

const say = (event, fields) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);

client.on(Events.Debug, (message) => {
  const url = CONNECTING.exec(message)?.[1];
  if (url) say("connecting", { compression: new URL(url).searchParams.get("compress") ?? "none" });
  const shard = INVALIDATED.exec(message)?.[1];
  if (shard) say("invalid", { shard: Number(shard) });
});

// The packets as they come: MessageCreate is not emitted for a message that the cache has already.
const RECORDED = {
  READY: (shard) => say("identified", { shard }),
  RESUMED: (shard) => say("resumed", { shard }),
  GUILD_CREATE: (shard, guild) => say("guild", { guild: guild.id, at: Date.now() }),
  MESSAGE_CREATE: (shard, { channel_id: channel, id, content }) => say("message", { shard, channel, id, content }),
};
client.on(Events.Raw, ({ t: event, d: data }, shard) => RECORDED[event]?.(shard, data));

client.login(process.env.BOT_TOKEN);
