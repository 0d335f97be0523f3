"""What is asked of the engines: replications, comparisons, and what they say."""
