import { Badge, Indicator, Tooltip } from '@mantine/core'
import { IconWifiOff } from '@tabler/icons-react'
import { useLive } from './live'

/** Whether what is shown is what is so: nobody should approve by an old picture. */
export function Connection() {
  const { connection, problem } = useLive()
  if (connection === 'live') {
    return (
      <Tooltip label="What is shown follows what happens">
        <Indicator inline color="green" size={8} position="middle-center" processing>
          <span role="status" aria-label="Live" style={{ display: 'inline-block', width: 16, height: 16 }} />
        </Indicator>
      </Tooltip>
    )
  }
  const why = problem ? `${problem.title}: ${problem.detail}` : 'Not connected: what is shown may be old'
  const label = connection === 'away' ? why : 'Connecting'
  return (
    <Tooltip label={label}>
      <Badge
        role="status" variant="light" color={connection === 'away' ? 'red' : 'gray'} c="var(--mantine-color-text)"
        tt="none" fw={550} leftSection={<IconWifiOff size={12} />}
      >
        {connection === 'away' ? problem?.title ?? 'Not connected' : 'Connecting'}
      </Badge>
    </Tooltip>
  )
}
