# Says what the target holds for the token.
tell
