"""Other people's networks, as their files define them, against what they published."""
