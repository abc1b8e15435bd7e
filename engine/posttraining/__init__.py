"""Post-training: a model that has read a text is taught, by rewards, to behave."""
