"""The person's side: a connection thread, a pure model of the conversation, and front ends over both."""
