"""The command that gets a refresh token: a program of its own beside the tap."""
