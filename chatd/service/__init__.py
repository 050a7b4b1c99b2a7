"""What users may do: plain functions of (core, me, ids, body), free of HTTP and WebSocket.

Nothing here opens a nursery.
"""
