"""What the wire looks like and what follows from it alone: types, limits, permissions, errors.

Floor 0: pure. Nothing here does I/O, reads a clock, imports Trio or imports from a higher floor.
"""
