DROP TABLE temporary_members;
DROP TABLE retention;
