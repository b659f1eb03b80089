"""The part of clinsynth that production needs: values, schema and codecs, without torch."""
