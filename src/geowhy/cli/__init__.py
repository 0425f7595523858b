"""The command line: a verb is a function whose parameters are its options."""
