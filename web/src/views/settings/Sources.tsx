import { Stack } from '@mantine/core'
import { AlertRules } from './AlertRules'
import { AlertSources } from './AlertSources'

/** Where alerts come from, and what is done with each. */
export function Sources() {
  return (
    <Stack gap="md">
      <AlertSources />
      <AlertRules />
    </Stack>
  )
}
