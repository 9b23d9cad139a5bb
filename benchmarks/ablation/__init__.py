"""What each ingredient of training is worth."""
