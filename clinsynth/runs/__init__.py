"""What a command leaves behind: its folder, record, results, the checkpoint to go on from, its exit code."""
