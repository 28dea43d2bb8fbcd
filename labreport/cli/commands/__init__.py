"""The commands, one file each: parse, call the room that knows, print."""
