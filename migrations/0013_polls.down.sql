DROP TABLE poll_votes;
DROP TABLE open_polls;
