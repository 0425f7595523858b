"""Drawing and words: pages, maps, plots and sentences. No answer depends on it."""
