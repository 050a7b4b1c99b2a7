// A discord.js bot that writes: it posts what the owner of its guild tells it to, and prints a line of JSON for what came
// of that and for everything that other bots post. `../discord_py_author.py` is the same bot.

const { createHash } = require("node:crypto");
const { Client, Embed, EmbedBuilder, Events, GatewayIntentBits, Routes } = require("discord.js");

const client = new Client({
  intents: Object.values(GatewayIntentBits).filter(Number.isInteger),
  rest: { api: "http://127.0.0.1:8080/api" },
});

const say = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);

const PAGE = 100;

// --- how things look, in the words that both bots use ------------------------------------------------------------------

const described = (message) => ({
  id: message.id,
  type: message.type,
  author: message.author.username,
  content: message.content,
  embeds: message.embeds.map(describedEmbed),
  files: message.attachments.map(({ name, size, description }) => [name, size, description]),
  webhook: message.webhookId,
  mentions: message.mentions.users.map((user) => user.username).sort(),
  reference: message.reference?.messageId ?? null,
  quoted: message.channel.messages.cache.get(message.reference?.messageId)?.content ?? null,
  poll: message.poll && describedPoll(message.poll),
});

const describedEmbed = (embed) => ({
  type: embed.data.type ?? "rich",
  title: embed.title,
  description: embed.description,
  url: embed.url,
  color: embed.color,
  timestamp: embed.timestamp && Date.parse(embed.timestamp),
  footer: [embed.footer?.text ?? null, embed.footer?.iconURL ?? null],
  image: embed.image?.url ?? null,
  thumbnail: embed.thumbnail?.url ?? null,
  author: [embed.author?.name ?? null, embed.author?.url ?? null, embed.author?.iconURL ?? null],
  fields: embed.fields.map(({ name, value, inline }) => [name, value, inline]),
});

const describedPoll = (poll) => ({
  question: poll.question.text,
  answers: poll.answers.map(({ id, text, emoji }) => [id, text, emoji?.name ?? null]),
  multiple: poll.allowMultiselect,
  ends: poll.expiresTimestamp,
  final: poll.resultsFinalized,
  votes: poll.answers.map((answer) => answer.voteCount),
});

const sha256 = (data) => createHash("sha256").update(data);
const digest = (messages) => sha256(messages.map(({ content }) => content).join("\n")).digest("hex");
const byId = (messages) => [...messages].sort((a, b) => (a.id < b.id ? -1 : 1));

// All messages from there on, page by page: newest first, or with `after` oldest first.
const pages = async (channel, direction, start) => {
  const found = [];
  let from = start;
  for (;;) {
    const query = { limit: PAGE, cache: false, ...(from && { [direction]: from }) };
    const page = byId((await channel.messages.fetch(query)).values());
    if (direction === "before") page.reverse();
    found.push(...page);
    if (page.length < PAGE) return found;
    from = page.at(-1).id;
  }
};

// A hundred thousand bytes that depend on the name.
const file = (name) => {
  const content = Array.from({ length: 3125 }, (_, number) => sha256(`${name} ${number}`).digest());
  return { attachment: Buffer.concat(content), name, description: `It is ${name}` };
};

const fetchOrdered = ({ channel, reference }) => channel.messages.fetch({ message: reference.messageId, force: true });

const COMMANDS = {
  // --- messages -------------------------------------------------------------------------------------------------------

  async embeds({ channel }) {
    const sent = [
      new EmbedBuilder()
        .setTitle("Title")
        .setDescription("**Described** <at length>")
        .setURL("https://example.com/?a=1&b=2")
        .setColor(0x336699)
        .setTimestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
        .setFooter({ text: "Footer", iconURL: "https://example.com/footer.png" })
        .setImage("https://example.com/image.png")
        .setThumbnail("https://example.com/thumbnail.png")
        .setAuthor({ name: "Author", url: "https://example.com/author", iconURL: "https://example.com/author.png" })
        .addFields({ name: "Field", value: "Value", inline: true }, { name: "Größe", value: "📏", inline: false }),
      new EmbedBuilder().setDescription("Just this"),
    ];
    const message = await channel.send({ content: "With embeds", embeds: sent });
    return { sent: sent.map((embed) => describedEmbed(new Embed(embed.toJSON()))), message: described(message) };
  },

  async reply(order) {
    const message = await order.reply({ content: "Yes?", allowedMentions: { repliedUser: false } });
    const fetched = await order.channel.messages.fetch({ message: message.id, force: true });
    return { message: described(message), fetched: described(fetched) };
  },

  async edit({ channel }) {
    const message = await channel.send("Fisrt");
    const edited = await message.edit({ content: "First", embeds: [new EmbedBuilder().setTitle("corrected")] });
    return { message: described(edited) };
  },

  async react({ channel, guild }) {
    const message = await channel.send("Hands up");
    for (const emoji of ["👍", "❤️", guild.emojis.cache.first()]) await message.react(emoji);
    await message.reactions.resolve("❤️").users.remove(client.user);
    await message.react("❤️");
    return { message: described(message) };
  },

  async unreact(order) {
    const message = await fetchOrdered(order);
    const seen = message.reactions.cache.map(({ emoji, count, me }) => [String(emoji), count, me]);
    const thumbs = message.reactions.resolve("👍");
    const users = (await thumbs.users.fetch()).map((user) => user.username).sort();
    await thumbs.users.remove(order.author);
    await message.reactions.resolve("❤️").remove();
    await message.reactions.removeAll();
    return { seen, users };
  },

  async pin({ channel }) {
    const message = await channel.send("Keep this");
    const pinned = async () => (await channel.messages.fetchPins()).items.map((item) => item.message.content);
    await message.pin();
    const pins = await pinned();
    await message.unpin();
    return { message: described(message), pins, left: await pinned() };
  },

  async purge({ channel }) {
    const messages = [];
    for (const number of [0, 1, 2]) messages.push(await channel.send(`Noise ${number}`));
    await channel.bulkDelete(messages);
    return { ids: messages.map(({ id }) => id) };
  },

  async history({ guild }) {
    const channel = guild.channels.cache.find(({ name }) => name === "archive");
    const newest = await pages(channel, "before");
    const middle = newest[newest.length / 2].id;
    return {
      newest: digest(newest),
      before: digest(await pages(channel, "before", middle)),
      after: digest(await pages(channel, "after", middle)),
      around: digest(byId((await channel.messages.fetch({ limit: 50, around: middle, cache: false })).values())),
    };
  },

  async thread({ channel }) {
    const first = await channel.send("About this");
    const made = await first.startThread({ name: "aside" });
    await made.send("Indeed");
    const again = await channel.messages.fetch({ message: first.id, force: true });
    return {
      first: described(first),
      thread: again.thread.name,
      starter: described(await made.fetchStarterMessage({ force: true })),
      messages: byId((await made.messages.fetch()).values()).map(described),
    };
  },

  // --- files ----------------------------------------------------------------------------------------------------------

  async upload({ channel }) {
    const message = await channel.send({ content: "With files", files: [file("a.bin"), file("b.txt")] });
    return { message: described(message) };
  },

  async swap_file(order) {
    const message = await fetchOrdered(order);
    const edited = await message.edit({ attachments: [message.attachments.last()], files: [file("c.bin")] });
    return { message: described(edited) };
  },

  async download(order) {
    const files = [];
    for (const { name, url } of (await fetchOrdered(order)).attachments.values()) {
      const data = Buffer.from(await (await fetch(url)).arrayBuffer());
      files.push([name, sha256(data).digest("hex")]);
    }
    return { files };
  },

  // --- webhooks and search --------------------------------------------------------------------------------------------

  async webhook({ channel }) {
    const hook = await channel.createWebhook({ name: "Hook" });
    const sent = { content: "Through a hook", username: "Somebody", files: [file("d.bin")] };
    const message = described(await hook.send(sent));
    const edited = await hook.editMessage(message.id, {
      content: "Exchanged",
      attachments: [],
      files: [file("e.bin")],
    });
    const fetched = await hook.fetchMessage(message.id);
    const gone = await hook.send("Gone");
    await hook.deleteMessage(gone.id);
    await hook.edit({ name: "Crook" });
    const listed = (await channel.fetchWebhooks()).map(({ name }) => name);
    await hook.delete();
    return {
      id: hook.id,
      message,
      edited: described(edited),
      fetched: described(fetched),
      gone: gone.id,
      listed,
      left: (await channel.fetchWebhooks()).size,
    };
  },

  // The library has no call for it, so this is what it calls everything with.
  async search({ guild }) {
    const found = (query) =>
      client.rest.get(Routes.guildMessagesSearch(guild.id), { query: new URLSearchParams(query) });
    const word = await found({ content: "4321" });
    const mine = await found({ author_id: client.user.id, has: "poll" });
    return {
      word: word.messages.map(([{ content }]) => content),
      mine: mine.messages.map(([{ id }]) => id),
      total: mine.total_results,
    };
  },

  // --- polls ----------------------------------------------------------------------------------------------------------

  async poll({ channel, guild }) {
    const poll = {
      question: { text: "Where to?" },
      answers: [
        { text: "Hills", emoji: guild.emojis.cache.first() },
        { text: "Sea", emoji: "🌊" },
        { text: "Home" },
      ],
      duration: 2,
      allowMultiselect: true,
    };
    return { message: described(await channel.send({ poll })) };
  },

  async end_poll(order) {
    const { poll } = await fetchOrdered(order);
    const counted = describedPoll(poll);
    const voters = [];
    for (const answer of poll.answers.values()) {
      voters.push((await answer.voters.fetch()).map((user) => user.username).sort());
    }
    return { counted, voters, ended: describedPoll((await poll.end()).poll) };
  },
};

client.on(Events.ClientReady, () => say("ready"));

client.on(Events.MessageCreate, async (message) => {
  const [name, order] = message.content.split(" ");
  if (message.author.id !== message.guild.ownerId) say("message", { id: message.id, message: described(message) });
  else if (name === client.user.username) say("done", { command: order, ...(await COMMANDS[order](message)) });
});

// --- what everybody sees -----------------------------------------------------------------------------------------------

client.on(Events.MessageUpdate, (before, after) => say("edited", { id: after.id, message: described(after) }));

const reacted = (event) => ({ message, emoji }, user) =>
  say(event, { id: message.id, emoji: emoji.name, by: user.username });
client.on(Events.MessageReactionAdd, reacted("reacted"));
client.on(Events.MessageReactionRemove, reacted("unreacted"));
client.on(Events.MessageReactionRemoveEmoji, ({ message, emoji }) =>
  say("cleared", { id: message.id, emoji: emoji.name }));
client.on(Events.MessageReactionRemoveAll, ({ id }) => say("cleared", { id, emoji: null }));

client.on(Events.ChannelPinsUpdate, (channel, time) => say("pins", { any: time !== null }));
client.on(Events.MessageBulkDelete, (messages) => say("purged", { ids: messages.map(({ id }) => id).sort() }));

const voted = (event) => (answer, userId) =>
  say(event, { by: client.users.cache.get(userId).username, answer: answer.text });
client.on(Events.MessagePollVoteAdd, voted("voted"));
client.on(Events.MessagePollVoteRemove, voted("unvoted"));

client.on(Events.ThreadCreate, ({ name }) => say("thread", { name }));

client.login(process.env.BOT_TOKEN);
