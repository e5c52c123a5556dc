import { Stack } from '@mantine/core'
import { useMay } from '../../app/session'
import { BreakGlass } from './BreakGlass'
import { StepUp } from './StepUp'

/** Who may agree, and what it takes: second factors, and emergency authority. */
export function Authority() {
  const policy = useMay('policy.read')
  return (
    <Stack gap="md">
      {policy && <StepUp />}
      <BreakGlass />
    </Stack>
  )
}
