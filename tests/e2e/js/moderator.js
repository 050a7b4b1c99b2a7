// A discord.js bot that moderates: it does what the owner of its guild tells it to, and prints a line of JSON for what
// came of that and for every event that moderators look at. `../discord_py_moderator.py` is the same bot.

const {
  AuditLogEvent,
  AutoModerationActionType,
  AutoModerationRuleEventType,
  AutoModerationRuleTriggerType,
  ChannelType,
  Client,
  Events,
  GatewayIntentBits,
  GuildScheduledEventEntityType,
  GuildScheduledEventPrivacyLevel,
  GuildVerificationLevel,
} = require("discord.js");

const client = new Client({
  intents: Object.values(GatewayIntentBits).filter(Number.isInteger),
  rest: { api: "http://127.0.0.1:8080/api" },
});

const say = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);

const HOUR_MS = 3_600_000;

const member = (guild, name) => guild.members.cache.find((each) => each.user.username === name);
const role = (guild, name) => guild.roles.cache.find((each) => each.name === name);
const first = (guild) =>
  guild.channels.cache.filter((each) => each.type === ChannelType.GuildText).sort((a, b) => a.rawPosition - b.rawPosition).first();
const channels = (guild) => guild.channels.cache.filter((each) => !each.isThread());
const sorted = (things) => [...things].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

const COMMANDS = {
  // --- channels, roles, members ---------------------------------------------------------------------------------------

  async structure(guild) {
    const { everyone } = guild.roles;
    const regulars = await guild.roles.create({ name: "regulars", permissions: ["MentionEveryone"] });
    const muted = await guild.roles.create({ name: "muted", permissions: [], mentionable: true });
    const moderators = await guild.roles.create({
      name: "moderators",
      permissions: ["ManageMessages", "KickMembers", "ModerateMembers"],
      colors: { primaryColor: 0x336699 },
      hoist: true,
      reason: "somebody has to",
    });
    await regulars.setName("old hands");

    const backOffice = await guild.channels.create({
      name: "back office",
      type: ChannelType.GuildCategory,
      permissionOverwrites: [
        { id: everyone, deny: ["ViewChannel"] },
        { id: moderators, allow: ["ViewChannel", "ManageMessages"] },
        { id: guild.members.me, allow: ["ViewChannel"] },
      ],
      reason: "for moderators",
    });
    await backOffice.children.create({ name: "cases" });
    const hall = await guild.channels.create({ name: "hall", type: ChannelType.GuildCategory });
    const notices = await hall.children.create({ name: "notices", topic: "what is new" });
    await notices.permissionOverwrites.edit(
      everyone, { SendMessages: false, AddReactions: false }, { reason: "read only" },
    );
    await notices.permissionOverwrites.create(member(guild, "regular"), { SendMessages: true });
    const talk = await hall.children.create({ name: "talk", rateLimitPerUser: 5 });
    await talk.permissionOverwrites.create(muted, { SendMessages: false, Connect: false });
    await talk.edit({ name: "small-talk", nsfw: true, rateLimitPerUser: 0, reason: "no hurry" });
    const stairs = await hall.children.create({ name: "stairs", type: ChannelType.GuildVoice, userLimit: 9 });
    await stairs.permissionOverwrites.create(regulars, { Connect: true, Speak: false });
    await stairs.permissionOverwrites.create(everyone, { Connect: false });
    const ideas = await hall.children.create({ name: "ideas", type: ChannelType.GuildForum, topic: "one each" });
    await ideas.permissionOverwrites.create(muted, { ViewChannel: false });
    await ideas.setPosition(0);
  },

  async ranks(guild) {
    const { position } = role(guild, "old hands");
    await role(guild, "moderators").setPosition(position, { reason: "they stand above" });
  },

  async members(guild) {
    await member(guild, "moderator").edit({ nick: "the law", roles: [role(guild, "moderators")], reason: "elected" });
    await member(guild, "regular").roles.add([role(guild, "old hands"), role(guild, "muted")]);
    await member(guild, "regular").roles.remove(role(guild, "muted"), "served");
    await member(guild, "noisy").roles.add(role(guild, "muted"));
    await member(guild, "loud").timeout(HOUR_MS, "calm down");
  },

  // The guild as the gateway has told of it, and as REST shows it.
  async cache(guild) {
    const described = (name, count, roles, channels, members) => ({
      name,
      count,
      roles: sorted(roles.map((each) => describedRole(each))),
      channels: sorted(channels.map((each) => describedChannel(each))),
      members: sorted(members.map((each) => describedMember(each))),
    });
    const { name, memberCount, roles, members } = guild;
    const cached = described(name, memberCount, roles.cache, channels(guild), members.cache);
    // What is fetched replaces what is cached, in place.
    const fetched = await guild.fetch();
    return {
      cached,
      fetched: described(
        fetched.name,
        fetched.approximateMemberCount,
        await roles.fetch(undefined, { force: true }),
        await guild.channels.fetch(undefined, { force: true }),
        await members.list({ limit: 1000 }),
      ),
    };
  },

  // What the library makes of everybody's roles and overwrites.
  async permissions(guild) {
    const found = {};
    for (const each of guild.members.cache.values()) {
      found[each.user.username] = { "": String(each.permissions.bitfield) };
      for (const channel of channels(guild).values()) {
        found[each.user.username][channel.id] = String(each.permissionsIn(channel).bitfield);
      }
    }
    return { permissions: found };
  },

  // --- moderation -----------------------------------------------------------------------------------------------------

  async expel(guild) {
    await member(guild, "noisy").kick("noise");
    const spammer = member(guild, "loud");
    await spammer.ban({ reason: "spam & more: 100 %", deleteMessageSeconds: 3600 });
    const entry = await guild.bans.fetch(spammer.id);
    const banned = (await guild.bans.fetch()).map((ban) => [ban.user.username, ban.reason]);
    await guild.bans.remove(spammer.id, "appealed");
    return {
      ban: [entry.user.username, entry.reason],
      banned,
      left: (await guild.bans.fetch()).map((ban) => ban.user.username),
    };
  },

  // What the bot did, the oldest first, and what one kind of it changed.
  async audit(guild) {
    const { entries } = await guild.fetchAuditLogs({ user: client.user, limit: 100 });
    const elected = (await guild.fetchAuditLogs({ type: AuditLogEvent.MemberUpdate, limit: 1 })).entries.first();
    return {
      entries: entries.map((entry) => [entry.action, entry.reason]).reverse(),
      newest: [elected.target.username, elected.reason],
    };
  },

  async invites(guild) {
    const made = await first(guild).createInvite({ maxUses: 3, maxAge: 600, reason: "for a friend" });
    const listed = await guild.invites.fetch({ cache: false });
    const fetched = await client.fetchInvite(made.code);
    await made.delete("used up");
    return {
      listed: listed.get(made.code).maxUses,
      count: fetched.memberCount,
      left: (await guild.invites.fetch({ cache: false })).has(made.code),
    };
  },

  async events(guild) {
    const start = Date.now() + 24 * HOUR_MS;
    const event = await guild.scheduledEvents.create({
      name: "Reading",
      scheduledStartTime: start,
      scheduledEndTime: start + 2 * HOUR_MS,
      entityType: GuildScheduledEventEntityType.External,
      privacyLevel: GuildScheduledEventPrivacyLevel.GuildOnly,
      entityMetadata: { location: "upstairs" },
    });
    await event.edit({ name: "Long reading", reason: "it grew" });
    const listed = (await guild.scheduledEvents.fetch({ cache: false })).map((each) => each.name);
    await event.delete();
    return { listed, left: (await guild.scheduledEvents.fetch({ cache: false })).size };
  },

  async settings(guild) {
    await guild.edit({
      name: "Reading hall",
      verificationLevel: GuildVerificationLevel.Low,
      systemChannel: first(guild),
      reason: "moved",
    });
    const roles = guild.roles.cache.filter((each) => each.editable && each.id !== guild.id).map(({ id }) => id);
    return {
      name: (await guild.fetch()).name,
      inactive: await guild.members.prune({ days: 7, dry: true, roles }),
      pruned: await guild.members.prune({ days: 7, roles, reason: "tidy" }),
    };
  },

  async threads(guild) {
    const channel = first(guild);
    const owner = guild.ownerId;
    const message = await channel.send("about this");
    const open = await message.startThread({ name: "public" });
    await open.send("first");
    const closed = await channel.threads.create({ name: "private", type: ChannelType.PrivateThread, invitable: false });
    await closed.members.add(owner);
    const names = async () => (await channel.threads.fetchActive(false)).threads.map((each) => each.name).sort();
    const active = await names();
    const inside = (await closed.members.fetch({ cache: false })).map((each) => each.id).sort();
    await closed.members.remove(owner);
    await open.edit({ name: "closed", archived: true, locked: true, reason: "said enough" });
    const archived = (await channel.threads.fetchArchived({}, false)).threads.map((each) => each.name);
    await closed.delete("mistake");
    return {
      active,
      inside: String(inside) === String([client.user.id, owner].sort()),
      archived,
      left: await names(),
    };
  },

  async auto_moderation(guild) {
    const rule = await guild.autoModerationRules.create({
      name: "no lottery",
      eventType: AutoModerationRuleEventType.MessageSend,
      triggerType: AutoModerationRuleTriggerType.Keyword,
      triggerMetadata: { keywordFilter: ["*lottery*"] },
      actions: [
        { type: AutoModerationActionType.BlockMessage, metadata: { customMessage: "not here" } },
        { type: AutoModerationActionType.SendAlertMessage, metadata: { channel: first(guild) } },
      ],
      enabled: true,
      reason: "every day",
    });
    const rules = await guild.autoModerationRules.fetch({ cache: false });
    return {
      rules: rules.map((each) => [each.name, each.triggerMetadata.keywordFilter]),
      same: rules.size === 1 && rules.has(rule.id),
    };
  },

  async demolish(guild) {
    await role(guild, "muted").delete("nobody left");
    const backOffice = guild.channels.cache.find((each) => each.name === "back office");
    for (const channel of backOffice.children.cache.values()) await channel.delete();
    await backOffice.delete("no cases");
  },

  async end() {},
};

const describedRole = ({ position, name, permissions, colors, hoist, mentionable }) =>
  [position, name, String(permissions.bitfield), colors.primaryColor, hoist, mentionable];

const describedChannel = ({ name, type, rawPosition, parentId, permissionOverwrites }) => {
  const overwrites = permissionOverwrites.cache.map(({ id, allow, deny }) =>
    [id, String(allow.bitfield), String(deny.bitfield)]);
  return [name, type, rawPosition, String(parentId), sorted(overwrites)];
};

const describedMember = (each) => [
  each.user.username,
  each.nickname ?? "",
  each.roles.cache.map(({ name }) => name).sort(),
  each.isCommunicationDisabled(),
];

client.on(Events.ClientReady, () => say("ready"));

client.on(Events.MessageCreate, async ({ author, content, guild }) => {
  const run = COMMANDS[content.slice(1)];
  if (author.id !== guild.ownerId || !run) return;
  say("done", { command: content, ...(await run(guild)) });
});

// --- what moderators look at -------------------------------------------------------------------------------------------

client.on(Events.GuildMemberUpdate, (before, after) => {
  const on = after.isCommunicationDisabled();
  if (before.isCommunicationDisabled() !== on) say("timeout", { user: after.user.username, on });
});
client.on(Events.GuildMemberRemove, ({ user }) => say("left", { user: user.username }));
client.on(Events.GuildBanAdd, ({ user }) => say("banned", { user: user.username }));
client.on(Events.GuildBanRemove, ({ user }) => say("unbanned", { user: user.username }));
client.on(Events.GuildAuditLogEntryCreate, ({ executorId, action, reason }) => {
  if (executorId === client.user.id) say("audited", { entry: [action, reason] });
});
client.on(Events.AutoModerationActionExecution, ({ action, content, matchedKeyword }) =>
  say("blocked", { action: action.type, content, keyword: matchedKeyword }));

client.login(process.env.BOT_TOKEN);
