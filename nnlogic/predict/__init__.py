"""What a network will take, predicted before anything is minimized; needs no torch."""
