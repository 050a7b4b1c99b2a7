DROP TABLE stickers;
DROP TABLE emojis;
