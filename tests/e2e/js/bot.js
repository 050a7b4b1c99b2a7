// An ordinary discord.js bot that prints a line of JSON for everything it sees.
//
// The options given to Client are the README's recipe. The end-to-end tests run a copy of this file with another
// address in them.

const { Client, Events, GatewayIntentBits } = require("discord.js");

const client = new Client({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.GuildMessageReactions,
    GatewayIntentBits.MessageContent,
  ],
  rest: { api: "http://127.0.0.1:8080/api" },
});

let pong;

const say = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
const session = () => client.ws.shards.first().sessionInfo.sessionId;
const names = (collection, name) => collection.map(name).sort();

client.on(Events.ShardReady, () => say("identified")); // after READY, not after RESUMED

client.on(Events.ClientReady, () => {
  const guilds = client.guilds.cache.map((guild) => ({
    name: guild.name,
    channels: names(guild.channels.cache, (channel) => channel.name),
    roles: names(guild.roles.cache, (role) => role.name),
    members: names(guild.members.cache, (member) => member.user.username),
    me: guild.members.me.user.username,
  }));
  say("ready", { session: session(), user: client.user.username, guilds });
});

client.on(Events.ShardResume, () => say("resumed", { session: session() }));

// The packets as they come: MessageCreate is not emitted for a message that the cache has already.
client.on(Events.Raw, ({ t: event, d: message }) => {
  if (event === "MESSAGE_CREATE") say("message", { content: message.content, author: message.author.username });
});

client.on(Events.MessageCreate, async (message) => {
  if (message.content === "!ping") pong = await message.channel.send("pong");
  else if (message.content === "!edit") await pong.edit("pong, edited");
  else if (message.content === "!delete") await pong.delete();
  else if (message.content === "!react") await pong.react("👍");
  else if (message.content === "!pin") {
    await pong.pin();
    const { items } = await message.channel.messages.fetchPins();
    say("pinned", { contents: items.map((pin) => pin.message.content) });
  } else if (message.content === "!purge") await message.channel.bulkDelete([pong, message]);
});

client.on(Events.MessageUpdate, (before, after) => say("edited", { before: before.content, after: after.content }));

client.on(Events.MessageDelete, (message) => say("deleted", { content: message.content }));

const reacted = (event) => (reaction, user) =>
  say(event, { emoji: reaction.emoji.name, by: user.username, count: reaction.count });

client.on(Events.MessageReactionAdd, reacted("reacted"));

client.on(Events.MessageReactionRemove, reacted("unreacted"));

client.on(Events.ChannelPinsUpdate, (channel, time) => say("pins", { any: time !== null }));

client.on(Events.MessageBulkDelete, (messages) => say("purged", { contents: names(messages, (it) => it.content) }));

client.login(process.env.BOT_TOKEN);
