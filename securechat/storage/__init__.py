"""What survives a restart: the log (SQLite; others behind the same small interface) and the users file."""
