DROP TRIGGER search_message_deleted;
DROP TRIGGER search_message_edited;
DROP TABLE search_stale;
DROP TABLE search_words;
DROP TABLE search_terms;
DROP TABLE search_messages;
DROP TABLE search_state;
