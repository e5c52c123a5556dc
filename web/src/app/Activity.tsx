import { Anchor, Drawer, Text, Timeline } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { pageOf } from '../logic/pages'
import { words } from '../logic/words'
import { Outside } from '../parts/Outside'
import { When } from '../parts/When'
import { useLive } from './live'

/** What happened since the page was opened, by its number in the log. */
export function Activity({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { recent } = useLive()
  return (
    <Drawer opened={opened} onClose={onClose} title="What happens" position="right" size="sm">
      {recent.length === 0 && <Text className="faint">Nothing since this page was opened.</Text>}
      <Timeline bulletSize={12} lineWidth={2}>
        {recent.map(({ seq, event, ts, data }) => {
          const to = pageOf(data.target.type, data.target.id)
          return (
            <Timeline.Item key={seq} data-seq={seq} color={data.success ? 'teal' : 'red'}>
              <Text size="sm">
                {to ? <Anchor component={Link} to={to} onClick={onClose}>{words(event)}</Anchor> : words(event)}
                {!data.success && ' (failed)'}
              </Text>
              <Text size="xs" className="faint">
                <Outside mono>{data.target.id}</Outside> · <When at={ts} /> · {seq}
              </Text>
            </Timeline.Item>
          )
        })}
      </Timeline>
    </Drawer>
  )
}
