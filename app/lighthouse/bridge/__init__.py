"""The door: the HTTP API, and the program that starts, watches and stops everything behind it.

Deliberately imports nothing: the health probe lives here too and has to start in a blink.
"""
