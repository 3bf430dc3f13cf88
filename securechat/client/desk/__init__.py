"""What a full-screen client knows and decides, without a screen, a socket, a clock or a thread."""
