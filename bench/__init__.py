"""The bench: starts the real server, loads it with a client that is not the bottleneck, and checks every delivery.

See bench/README.md for the method. Nothing in `chatd` imports this package.
"""
