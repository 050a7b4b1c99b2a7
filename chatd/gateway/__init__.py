"""The gateway: WebSocket connections of clients, and the protocol that is spoken over them. Docs: events/gateway."""
