namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>The machine lacks a program; the message says which, and how to get it.</summary>
public sealed class MissingPrerequisiteException(string message) : Exception(message);
