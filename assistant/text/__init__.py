"""Text in English and Portuguese: its language, sentences, words, numbers and units."""
