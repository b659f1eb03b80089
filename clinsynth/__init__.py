"""clinsynth: train small clinical text-mining models and run them where the text is."""
