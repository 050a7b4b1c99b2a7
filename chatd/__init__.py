"""chatd: a self-hosted, Discord-compatible realtime text-chat server."""

__version__ = "0.1.0"
