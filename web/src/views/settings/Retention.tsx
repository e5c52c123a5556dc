import { Stack } from '@mantine/core'
import { Archives } from './Archives'
import { LegalHolds } from './LegalHolds'
import { RetentionPlan } from './RetentionPlan'
import { RetentionRules } from './RetentionRules'

/** How long what is kept, what goes next, what must stay, and what went to the archive. */
export function Retention() {
  return (
    <Stack gap="md">
      <RetentionRules />
      <RetentionPlan />
      <LegalHolds />
      <Archives />
    </Stack>
  )
}
