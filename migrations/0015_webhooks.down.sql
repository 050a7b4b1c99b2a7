DROP TABLE crossposts;
DROP TABLE crosspost_deliveries;
DROP TABLE webhooks;
