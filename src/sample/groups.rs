//! Classes joined to groups: `groups=0+1+2+3+4/5+6+7+8+9`.
//!
//! A group is the classes between slashes, by name where they have names and by number where not. It becomes a class,
//! named as it is written; points of classes that are in no group are left out.

use super::Labels;

/// Groups of classes, as they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    groups: Vec<Vec<String>>,
}

impl Groups {
    /// Parses the text of an option; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Groups, String> {
        let groups: Vec<Vec<String>> = text
            .split('/')
            .map(|group| group.split('+').map(|name| name.trim().to_owned()).collect())
            .collect();
        if groups.len() < 2 {
            return Err("expected at least two groups, such as 0+1/2+3".into());
        }
        let all: Vec<&String> = groups.iter().flatten().collect();
        if all.iter().any(|name| name.is_empty()) {
            return Err("a class has no name; expected groups such as 0+1/2+3".into());
        }
        if let Some((_, name)) = all.iter().enumerate().find(|(at, name)| all[..*at].contains(name))
        {
            return Err(format!("class '{name}' is in two places"));
        }
        Ok(Groups { groups })
    }

    /// The rows that are kept, and their labels; the error says what does not fit these labels.
    pub fn apply(&self, labels: &Labels) -> Result<(Vec<u32>, Labels), String> {
        let Labels::Classes { of, count, names, .. } = labels else {
            return Err("labels are real numbers; only classes can be joined".into());
        };
        let name = |class: u32| match names.get(class as usize) {
            Some(name) => name.clone(),
            None => class.to_string(),
        };
        let all: Vec<String> = (0..*count).map(name).collect();
        let unknown = self.groups.iter().flatten().find(|name| !all.contains(name));
        if let Some(unknown) = unknown {
            const SHOWN: usize = 12;
            let mut known = all[..all.len().min(SHOWN)].join(", ");
            if all.len() > SHOWN {
                known += ", …";
            }
            return Err(format!("'{unknown}' is not a class of it; expected some of {known}"));
        }
        let group = |name: &String| self.groups.iter().position(|group| group.contains(name));
        let groups: Vec<Option<u32>> =
            all.iter().map(|name| group(name).map(|at| at as u32)).collect();
        let kept = of.iter().zip(0u32..).filter_map(|(&class, row)| {
            groups.get(class as usize).copied().flatten().map(|group| (row, group))
        });
        let (rows, of): (Vec<u32>, Vec<u32>) = kept.unzip();
        let names = self.groups.iter().map(|group| group.join("+")).collect();
        let count = self.groups.len() as u32;
        Ok((rows, Labels::Classes { of, count, names, numbered: false }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_joined_and_others_left_out() {
        let labels = Labels::classes(vec![0, 3, 1, 2, 3], 4).unwrap();
        let (rows, joined) = Groups::parse("0+1/3").unwrap().apply(&labels).unwrap();
        assert_eq!(rows, [0, 1, 2, 4]);
        let Labels::Classes { of, count, names, .. } = joined else { panic!("classes") };
        assert_eq!((of, count), (vec![0, 1, 0, 1], 2));
        assert_eq!(names, ["0+1", "3"]);
    }

    #[test]
    fn what_is_no_grouping_is_refused() {
        let refused = |text| Groups::parse(text).unwrap_err();
        assert!(refused("0+1").contains("at least two groups"));
        assert!(refused("0+/1").contains("no name"));
        assert!(refused("0/1+0").contains("'0' is in two places"));
        let labels = Labels::classes(vec![0, 1], 2).unwrap();
        let refused = |labels| Groups::parse("0/7").unwrap().apply(labels).unwrap_err();
        assert_eq!(refused(&labels), "'7' is not a class of it; expected some of 0, 1");
        assert!(refused(&Labels::real(vec![0.5], 1).unwrap()).contains("real numbers"));
    }
}
