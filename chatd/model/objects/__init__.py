"""The objects of Discord's API, one module for each documentation page: what is sent, received and kept in memory.

Nothing here but declarations. A frozen object may be shared by every task; a change makes a new one.
"""
