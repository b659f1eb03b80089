"""What a training leaves behind: its folder, its record, its results and the checkpoint to go on from."""
