"""What the tools of ``tools/analysis_tools`` are made of."""
