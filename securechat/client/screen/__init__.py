"""The full screen: widgets that draw the desk and give it what is typed."""
