// A discord.js bot that posts, edits and forwards components, and prints what it has sent and what it has got back.
//
// ../discord_py_layouts.py is the same bot. Nothing of the library is changed but its address, as in the README's
// recipe.

const {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  ChannelSelectMenuBuilder,
  ChannelType,
  Client,
  ContainerBuilder,
  Events,
  GatewayIntentBits,
  MediaGalleryBuilder,
  MentionableSelectMenuBuilder,
  MessageFlags,
  SectionBuilder,
  SeparatorBuilder,
  SeparatorSpacingSize,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  ThumbnailBuilder,
} = require("discord.js");

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
  rest: { api: "http://127.0.0.1:8080/api" },
});

const PICTURE = "https://chat.test/i.png";

const say = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
const tree = (message) => message.components.map((component) => component.toJSON());
const text = (content) => new TextDisplayBuilder().setContent(content);
const press = () => new ButtonBuilder().setCustomId("press").setLabel("Press");

const buttons = () => [
  new ActionRowBuilder().addComponents(
    press().setStyle(ButtonStyle.Danger).setEmoji("🔥"),
    new ButtonBuilder().setStyle(ButtonStyle.Link).setLabel("Open").setURL("https://chat.test/").setDisabled(true),
  ),
  new ActionRowBuilder().addComponents(
    new StringSelectMenuBuilder()
      .setCustomId("words")
      .setMinValues(0)
      .setMaxValues(2)
      .addOptions(
        ["one", "two"].map((word) => ({ label: word, value: word, description: "a word", default: word === "two" })),
      ),
  ),
  new ActionRowBuilder().addComponents(
    new ChannelSelectMenuBuilder().setCustomId("where").setChannelTypes(ChannelType.GuildText),
  ),
];

const layout = (title) => [
  new ContainerBuilder()
    .setAccentColor(0x123456)
    .setSpoiler(true)
    .addSectionComponents(
      new SectionBuilder()
        .addTextDisplayComponents(text(title))
        .setThumbnailAccessory(
          new ThumbnailBuilder().setURL(PICTURE).setDescription("a picture").setSpoiler(true),
        ),
    )
    .addSeparatorComponents(new SeparatorBuilder().setDivider(false).setSpacing(SeparatorSpacingSize.Large))
    .addMediaGalleryComponents(
      new MediaGalleryBuilder().addItems({ media: { url: PICTURE } }, { media: { url: PICTURE }, spoiler: true }),
    )
    .addActionRowComponents(new ActionRowBuilder().addComponents(press().setStyle(ButtonStyle.Secondary))),
  new SectionBuilder()
    .addTextDisplayComponents(text("words"))
    .setButtonAccessory(
      new ButtonBuilder().setCustomId("end").setLabel("End").setEmoji("👍").setStyle(ButtonStyle.Secondary),
    ),
  new ActionRowBuilder().addComponents(
    new MentionableSelectMenuBuilder().setCustomId("whom").setPlaceholder("Whom?"),
  ),
  text("the end").setId(77),
];

client.on(Events.ClientReady, () => say("ready"));

client.on(Events.MessageCreate, async (message) => {
  if (message.author.id === client.user.id) say("got", { id: message.id, tree: tree(message) });
  else if (message.content === "!buttons") {
    const components = buttons();
    const sent = await message.channel.send({ content: "choose", components });
    say("sent", { id: sent.id, sent: components.map((it) => it.toJSON()), tree: tree(sent) });
  } else if (message.content === "!layout") {
    let components = layout("# Title");
    const sent = await message.channel.send({ components, flags: MessageFlags.IsComponentsV2 });
    say("sent", { id: sent.id, sent: components.map((it) => it.toJSON()), tree: tree(sent) });
    components = layout("# Another title");
    const edited = await sent.edit({ components });
    say("edited", { id: sent.id, sent: components.map((it) => it.toJSON()), tree: tree(edited) });
    const fetched = await message.channel.messages.fetch({ message: sent.id, cache: false, force: true });
    say("fetched", { v2: fetched.flags.has(MessageFlags.IsComponentsV2), tree: tree(fetched) });
    const forwarded = await fetched.forward(message.channel);
    const snapshot = forwarded.messageSnapshots.first();
    say("forwarded", { forward: forwarded.flags.has(MessageFlags.HasSnapshot), tree: tree(snapshot) });
  }
});

client.login(process.env.BOT_TOKEN);
