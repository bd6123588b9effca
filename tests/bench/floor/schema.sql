-- The three application tables of the seed stack: what its POST writes, without the queue, is the floor for both systems.
CREATE TYPE "LeadStatus" AS ENUM ('new', 'processing', 'enriched', 'failed');
CREATE TYPE "JobStatus" AS ENUM ('queued', 'running', 'completed', 'failed');
CREATE TYPE "OutboxStatus" AS ENUM ('pending', 'processing', 'sent', 'failed', 'dead_letter');

CREATE TABLE "Lead" (
    "id" uuid PRIMARY KEY,
    "firstName" text NOT NULL,
    "lastName" text NOT NULL,
    "email" text NOT NULL UNIQUE,
    "source" text NOT NULL,
    "status" "LeadStatus" NOT NULL DEFAULT 'new',
    "enrichment" jsonb,
    "error" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(),
    "updatedAt" timestamp(3) NOT NULL
);

CREATE TABLE "JobExecution" (
    "id" uuid PRIMARY KEY,
    "leadId" uuid REFERENCES "Lead" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    "type" text NOT NULL,
    "status" "JobStatus" NOT NULL DEFAULT 'queued',
    "payload" jsonb NOT NULL,
    "result" jsonb,
    "error" text,
    "attempts" integer NOT NULL DEFAULT 0,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(),
    "updatedAt" timestamp(3) NOT NULL,
    "startedAt" timestamp(3),
    "finishedAt" timestamp(3)
);
CREATE INDEX "JobExecution_leadId_idx" ON "JobExecution" ("leadId");

CREATE TABLE "OutboxEvent" (
    "id" uuid PRIMARY KEY,
    "type" text NOT NULL,
    "payload" jsonb NOT NULL,
    "status" "OutboxStatus" NOT NULL DEFAULT 'pending',
    "attempts" integer NOT NULL DEFAULT 0,
    "lastError" text,
    "nextAttemptAt" timestamp(3),
    "createdAt" timestamp(3) NOT NULL DEFAULT now(),
    "updatedAt" timestamp(3) NOT NULL,
    "processedAt" timestamp(3)
);
CREATE INDEX "OutboxEvent_status_nextAttemptAt_idx" ON "OutboxEvent" ("status", "nextAttemptAt");
