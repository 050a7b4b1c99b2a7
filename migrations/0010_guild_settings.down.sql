DROP TABLE guild_templates;
DROP TABLE welcome_screens;
DROP TABLE vanity_urls;
