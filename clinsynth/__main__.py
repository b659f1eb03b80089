"""``python -m clinsynth``: the same as ``clinsynth``."""

from clinsynth.cli import main

if __name__ == "__main__":
    main()
